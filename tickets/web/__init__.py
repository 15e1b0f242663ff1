"""The agents' screens: parse, call an action, render a fragment."""
