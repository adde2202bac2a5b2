"""The window through which people are told something: mail, webhooks and paging services."""
