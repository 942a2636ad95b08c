"""Signals: classes of them and numbers from them, whole or at each step."""
