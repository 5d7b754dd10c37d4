"""What answers a prompt or a question: rules and recorded predictions so far."""
