"""National trusted lists and the list of them (ETSI TS 119 612): read, never written; they answer whether a seal is qualified."""
