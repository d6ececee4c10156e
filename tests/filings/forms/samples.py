"""Small filings of our own making, in the shapes EDGAR sends."""

from __future__ import annotations

HEADER = """<SEC-DOCUMENT>0000000042-25-000007.txt : 20250612
<SEC-HEADER>0000000042-25-000007.hdr.sgml : 20250612
<ACCEPTANCE-DATETIME>20250612160512
ACCESSION NUMBER:\t\t0000000042-25-000007
CONFORMED SUBMISSION TYPE:\t{form}
PUBLIC DOCUMENT COUNT:\t\t3
CONFORMED PERIOD OF REPORT:\t20250610
ITEM INFORMATION:\t\tResults of Operations and Financial Condition
ITEM INFORMATION:\t\tFinancial Statements and Exhibits
FILED AS OF DATE:\t\t20250612

FILER:

\tCOMPANY DATA:
\t\tCOMPANY CONFORMED NAME:\t\t\tQUILL & ANCHOR HOLDINGS, INC.
\t\tCENTRAL INDEX KEY:\t\t\t0000000042
</SEC-HEADER>
"""

BODY = """<html><head><title>8-K</title><style>p {color: red}</style></head><body>
<p>FORM 8-K</p><p>Quill &amp; Anchor Holdings, Inc.</p>
<p><b>Item&#160;2.02.</b> Results of Operations and Financial Condition.</p>
<p>On June 10, 2025 the company announced its results.</p>
<table><tr><td>Revenue</td><td>$</td><td>1,250</td><td>$</td><td>(980</td><td>)</td></tr></table>
<p>Item 9.01 Financial Statements and Exhibits.</p><p>(d) Exhibits. 99.1 Press release.</p>
<p>SIGNATURES</p><p>Pursuant to the requirements</p></body></html>
"""

RELEASE = "<html><body><p>Quill &amp; Anchor reports revenue of $1,250 million</p></body></html>\n"


def document(kind: str, body: str, sequence: int = 1, filename: str = "a.htm") -> str:
    return (
        f"<DOCUMENT>\n<TYPE>{kind}\n<SEQUENCE>{sequence}\n<FILENAME>{filename}\n<DESCRIPTION>{kind}\n"
        f"<TEXT>\n{body}</TEXT>\n</DOCUMENT>\n"
    )


def submission(*documents: str, form: str = "8-K") -> bytes:
    return (HEADER.format(form=form) + "".join(documents) + "</SEC-DOCUMENT>\n").encode()


EIGHT_K = submission(
    document("8-K", BODY),
    document("EX-10.1", "a long contract\n" * 50, 2),
    document("EX-99.1", RELEASE, 3, "ex991.htm"),
    document("GRAPHIC", "begin 644 logo.jpg\nM_]C_X``02D9)1@`!\n`\nend\n", 4, "logo.jpg"),
)

FORM_4 = """<?xml version="1.0"?>
<ownershipDocument>
  <documentType>4</documentType>
  <issuer><issuerCik>0000000042</issuerCik><issuerName>Quill &amp; Anchor</issuerName>
    <issuerTradingSymbol>QNCH</issuerTradingSymbol></issuer>
  <reportingOwner><reportingOwnerId><rptOwnerCik>0000000099</rptOwnerCik><rptOwnerName>Reed Ada</rptOwnerName>
    </reportingOwnerId><reportingOwnerRelationship><isDirector>1</isDirector><isOfficer>true</isOfficer>
    <officerTitle>Chief Executive Officer</officerTitle></reportingOwnerRelationship></reportingOwner>
  <aff10b5One>1</aff10b5One>
  <nonDerivativeTable>
    <nonDerivativeTransaction>
      <securityTitle><value>Common Stock</value></securityTitle>
      <transactionDate><value>2025-06-10</value></transactionDate>
      <transactionCoding><transactionCode>S</transactionCode></transactionCoding>
      <transactionAmounts><transactionShares><value>1500</value></transactionShares>
        <transactionPricePerShare><value>12.75</value><footnoteId id="F1"/></transactionPricePerShare>
        <transactionAcquiredDisposedCode><value>D</value></transactionAcquiredDisposedCode></transactionAmounts>
      <postTransactionAmounts><sharesOwnedFollowingTransaction><value>48500</value>
        </sharesOwnedFollowingTransaction></postTransactionAmounts>
      <ownershipNature><directOrIndirectOwnership><value>I</value></directOrIndirectOwnership>
        <natureOfOwnership><value>By trust</value></natureOfOwnership></ownershipNature>
    </nonDerivativeTransaction>
  </nonDerivativeTable>
  <footnotes><footnote id="F1">A weighted average.</footnote></footnotes>
</ownershipDocument>
"""

TEN_Q = """<html xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"><body><div style="display:none"><ix:header><ix:hidden>
<ix:nonNumeric contextRef="q" name="dei:DocumentFiscalYearFocus">2025</ix:nonNumeric>
<ix:nonNumeric contextRef="q" name="dei:DocumentFiscalPeriodFocus">Q2</ix:nonNumeric></ix:hidden><ix:resources>
<xbrli:context id="q"><xbrli:entity/><xbrli:period><xbrli:startDate>2025-04-01</xbrli:startDate>
<xbrli:endDate>2025-06-30</xbrli:endDate></xbrli:period></xbrli:context>
<xbrli:context id="p"><xbrli:entity/><xbrli:period><xbrli:startDate>2024-04-01</xbrli:startDate>
<xbrli:endDate>2024-06-30</xbrli:endDate></xbrli:period></xbrli:context>
<xbrli:context id="s"><xbrli:entity><xbrli:segment><xbrldi:explicitMember dimension="d">m:Member</xbrldi:explicitMember>
</xbrli:segment></xbrli:entity><xbrli:period><xbrli:startDate>2025-04-01</xbrli:startDate>
<xbrli:endDate>2025-06-30</xbrli:endDate></xbrli:period></xbrli:context>
<xbrli:context id="i"><xbrli:entity/><xbrli:period><xbrli:instant>2025-06-30</xbrli:instant></xbrli:period>
</xbrli:context>
</ix:resources></ix:header></div>
<p>PART I</p><p>Item 1. Financial Statements</p>
<table>
<tr><td>Licences</td><td><ix:nonFraction contextRef="s" name="us-gaap:Revenues" unitRef="usd" scale="6"
>9</ix:nonFraction></td></tr>
<tr><td>Revenue</td><td>$</td><td><ix:nonFraction contextRef="q" name="us-gaap:Revenues" unitRef="usd" scale="6"
 format="ixt:num-dot-decimal">1,250.5</ix:nonFraction></td><td><ix:nonFraction contextRef="p" name="us-gaap:Revenues"
 unitRef="usd" scale="6">1,100</ix:nonFraction></td></tr>
<tr><td>Net loss</td><td>(<ix:nonFraction contextRef="q" name="us-gaap:NetIncomeLoss" unitRef="usd" scale="3"
 sign="-">12,300</ix:nonFraction></td><td>)</td></tr>
<tr><td>Per share</td><td><ix:nonFraction contextRef="q" name="us-gaap:EarningsPerShareDiluted" unitRef="usdPerShare"
 scale="0" sign="-">0.42</ix:nonFraction></td></tr>
<tr><td>Basic</td><td><ix:nonFraction contextRef="q" name="us-gaap:EarningsPerShareBasic" unitRef="usdPerShare"
 xsi:nil="true"></ix:nonFraction></td></tr>
<tr><td>Cash</td><td><ix:nonFraction contextRef="i" name="us-gaap:CashAndCashEquivalentsAtCarryingValue" unitRef="usd"
 scale="6" format="ixt:fixed-zero">—</ix:nonFraction></td></tr></table>
<p>Item 2. Management's Discussion and Analysis</p><p>Revenue rose.</p></body></html>
"""
