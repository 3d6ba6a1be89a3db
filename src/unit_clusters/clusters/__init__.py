"""Clusters that maximise modularity (section 3.2), and how far two clusterings agree (section 4.4)."""
