"""The documents: PD A1, EHIC and the test PID, each declared once; what they say, in whichever shape they travel.

Nothing here knows SD-JWT or mdoc (they meet in `vc.formats`). Start reading at `catalogue`; `document.parse` is the way
in for an issuer, `catalogue.recognise` and `Profile.normalise` for a verifier.
"""
