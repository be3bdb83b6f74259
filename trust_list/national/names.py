"""Names of ETSI TS 119 612 and of the signature standards, as they stand in the documents."""

TSL = "{http://uri.etsi.org/02231/v2#}"
ADDITIONAL = "{http://uri.etsi.org/02231/v2/additionaltypes#}"
SIE = "{http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"

LIST_OF_LISTS = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists"
NATIONAL = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric"
MEDIA_TYPE = "application/vnd.etsi.tsl+xml"

CA_QC = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
GRANTED = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted"
FOR_SEALS = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/ForeSeals"

_QUALIFIER = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/"
CONFIRMING = frozenset(
    _QUALIFIER + name
    for name in ("QCStatement", "QCForESeal", "QCForLegalPerson", "QCWithSSCD", "QCWithQSCD", "QCSSCDStatusAsInCert",
                 "QCQSCDStatusAsInCert", "QCQSCDManagedOnBehalf")
)  # fmt: skip
"""Qualifiers (clause 5.5.9.2.3) that take nothing away from a certificate which itself states to be for qualified seals."""
