"""The law: who may write, see and owe what. Pure rules over the register; imports schemas only."""
