"""The simulated tenant: an HTTP server that answers as Exchange Online, Microsoft Graph and Entra ID do.

Everything but :mod:`workflow.providers.simulated.server` is plain Python without sockets and without the machine's
clock: the same seed, scenario and calls in the same order give the same bytes.
"""
