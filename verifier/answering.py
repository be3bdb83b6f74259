"""From the wallet's message to a stored verdict: addressed? open it; claim the transaction, once; judge; answer the wallet.

| what arrives                                             | wallet gets            | transaction                     |
|----------------------------------------------------------|------------------------|---------------------------------|
| unknown request, or one that is over                     | 404, 400               | unchanged                       |
| not addressed: no or wrong state, does not decrypt, junk | 400 with what to do    | unchanged, refusal remembered   |
| an error of the wallet, with the right state             | 200                    | failed                          |
| right state, but unencrypted, malformed or not the query | 400 with what to do    | answered: reject, with the code |
| right state, a holder or structure rule broken           | 400 with what to do    | answered: reject, with the code |
| right state, anything about issuer, trust, status, rules | 200                    | answered: the verdict           |

The last row tells the wallet nothing: the verdict is the inspector's (VP-RSP-5).
"""
