"""Microsoft 365 itself: Exchange Online through its gateway, Entra ID through Microsoft Graph."""
