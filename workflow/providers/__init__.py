"""The tenant: one port and its fillings."""
