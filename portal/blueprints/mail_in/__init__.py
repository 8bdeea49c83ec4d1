"""Mail that servers hand over by HTTP."""
