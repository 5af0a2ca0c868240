"""Models, versions, gates, evidence and the journal of promotions."""
