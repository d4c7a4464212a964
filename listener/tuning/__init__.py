"""What a change of rules would do: stored weeks decided on anew, nothing sent, nothing stored."""
