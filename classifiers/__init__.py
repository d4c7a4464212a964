"""What a mention is: its language, complaint, urgency, topic and signals, its author's influence, its copies."""
