"""Launchers of engines that bring their own server, and what stands in front of them."""
