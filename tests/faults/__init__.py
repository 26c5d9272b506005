"""What goes wrong around a ledger: many writers at once, killed processes, full disks, damaged files, tampering."""
