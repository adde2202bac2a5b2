"""The verbs: every change to a case goes through here."""
