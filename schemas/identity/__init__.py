"""Citizen numbers, credit codes and other statutory identifiers: normalise, check, stable part."""
