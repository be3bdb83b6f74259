"""Trust lists after ETSI TS 119 602: authored, signed and published; fetched, accepted and asked."""
