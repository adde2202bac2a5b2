"""Windows on the tenant: one port, and the fillings that stand behind it."""
