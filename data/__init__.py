"""The facts: who the subscribers are, what they owe, what is on, and what is still to be sent."""
