"""Payment plans: asked for, granted, accepted in writing; what they do in force is in `services/billing`."""
