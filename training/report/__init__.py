"""What people read: the report of an evaluation with its charts, the model card, a commissioning's report."""
