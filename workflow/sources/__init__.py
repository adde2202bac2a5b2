"""What a file says: exports, alerts and bounce mail become restrictions, YAML becomes a playbook."""
