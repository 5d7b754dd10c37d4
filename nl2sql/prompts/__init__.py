"""What models are told: one file per role and variant, rendered strictly, with everything that is not ours fenced."""
