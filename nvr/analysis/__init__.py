"""The analyzer process: slot → motion → objects → tracks → events."""
