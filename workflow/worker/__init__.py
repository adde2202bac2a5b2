"""The clock as a user of the system: what is due is done without anybody asking."""
