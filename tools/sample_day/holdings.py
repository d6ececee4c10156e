"""Who owns what: Forms 3 and 4, Schedules 13D and 13G, as the XML that EDGAR takes them in."""
# ruff: noqa: E501 (prose and tables read better unbroken)

from __future__ import annotations

from .model import Document, Filing, Party
from .people import BRANNOCK, GREYFELL, HALORIN, KESTERLIN, NORVALE, ORSOLYA, PELLWORTH, SELWYN, TALLIS, TINDREL


def _owner(owner: Party, title: str = "", director: int = 0, ten: int = 0) -> str:
    return (
        "<reportingOwner><reportingOwnerId>"
        f"<rptOwnerCik>{owner.cik}</rptOwnerCik><rptOwnerName>{owner.name}</rptOwnerName></reportingOwnerId>"
        "<reportingOwnerAddress><rptOwnerStreet1>C/O THE ISSUER</rptOwnerStreet1><rptOwnerCity>BOISE</rptOwnerCity>"
        "<rptOwnerState>ID</rptOwnerState><rptOwnerZipCode>83702</rptOwnerZipCode></reportingOwnerAddress>"
        f"<reportingOwnerRelationship><isDirector>{director}</isDirector><isOfficer>{int(bool(title))}</isOfficer>"
        f"<isTenPercentOwner>{ten}</isTenPercentOwner><isOther>0</isOther><officerTitle>{title}</officerTitle>"
        "</reportingOwnerRelationship></reportingOwner>"
    )


def _trade(code: str, shares: str, price: str, way: str, after: str, date: str = "2026-02-03", how: str = "D") -> str:
    nature = "<natureOfOwnership><value>By fund</value></natureOfOwnership>" if how == "I" else ""
    return (
        "<nonDerivativeTransaction><securityTitle><value>Common Stock</value></securityTitle>"
        f"<transactionDate><value>{date}</value></transactionDate>"
        "<transactionCoding><transactionFormType>4</transactionFormType>"
        f"<transactionCode>{code}</transactionCode><equitySwapInvolved>0</equitySwapInvolved></transactionCoding>"
        f"<transactionAmounts><transactionShares><value>{shares}</value></transactionShares>"
        f"<transactionPricePerShare><value>{price}</value></transactionPricePerShare>"
        f"<transactionAcquiredDisposedCode><value>{way}</value></transactionAcquiredDisposedCode></transactionAmounts>"
        "<postTransactionAmounts><sharesOwnedFollowingTransaction>"
        f"<value>{after}</value></sharesOwnedFollowingTransaction></postTransactionAmounts>"
        f"<ownershipNature><directOrIndirectOwnership><value>{how}</value></directOrIndirectOwnership>{nature}"
        "</ownershipNature></nonDerivativeTransaction>\n"
    )


def _option(shares: str, strike: str, after: str) -> str:
    return (
        "<derivativeTransaction><securityTitle><value>Stock Option (Right to Buy)</value></securityTitle>"
        f"<conversionOrExercisePrice><value>{strike}</value></conversionOrExercisePrice>"
        "<transactionDate><value>2026-02-03</value></transactionDate><transactionCoding>"
        "<transactionFormType>4</transactionFormType><transactionCode>M</transactionCode>"
        "<equitySwapInvolved>0</equitySwapInvolved></transactionCoding>"
        f"<transactionAmounts><transactionShares><value>{shares}</value></transactionShares>"
        "<transactionPricePerShare><value>0</value></transactionPricePerShare>"
        "<transactionAcquiredDisposedCode><value>D</value></transactionAcquiredDisposedCode></transactionAmounts>"
        "<exerciseDate><value>2023-05-01</value></exerciseDate><expirationDate><value>2029-05-01</value>"
        "</expirationDate><underlyingSecurity><underlyingSecurityTitle><value>Common Stock</value>"
        f"</underlyingSecurityTitle><underlyingSecurityShares><value>{shares}</value></underlyingSecurityShares>"
        "</underlyingSecurity><postTransactionAmounts><sharesOwnedFollowingTransaction>"
        f"<value>{after}</value></sharesOwnedFollowingTransaction></postTransactionAmounts><ownershipNature>"
        "<directOrIndirectOwnership><value>D</value></directOrIndirectOwnership></ownershipNature>"
        "</derivativeTransaction>\n"
    )


def _ownership(form: str, issuer: Party, owners: str, trades: str, options: str = "", planned: int = 0) -> str:
    body = f"<nonDerivativeTable>\n{trades}</nonDerivativeTable>\n"
    derivative = f"<derivativeTable>\n{options}</derivativeTable>\n" if options else ""
    return (
        f'<?xml version="1.0"?>\n<ownershipDocument>\n<schemaVersion>X0609</schemaVersion>\n'
        f"<documentType>{form}</documentType>\n<periodOfReport>2026-02-03</periodOfReport>\n"
        f"<issuer><issuerCik>{issuer.cik}</issuerCik><issuerName>{issuer.name}</issuerName>"
        f"<issuerTradingSymbol>{issuer.ticker}</issuerTradingSymbol></issuer>\n{owners}\n"
        f"<aff10b5One>{planned}</aff10b5One>\n{body}{derivative}"
        "<ownerSignature><signatureName>/s/ by power of attorney</signatureName>"
        "<signatureDate>2026-02-05</signatureDate></ownerSignature>\n</ownershipDocument>"
    )


def _form(
    form: str, at: str, number: str, issuer: Party, owners: tuple[Party, ...], body: str, period: str = "20260203"
) -> Filing:
    document = Document(form, f"form{form}.xml", f"FORM {form}", body, "XML")
    roles = (*[("Reporting", owner) for owner in owners], ("Issuer", issuer))
    return Filing(form, at, number, roles, (document,), period=period)


SALE = _form(
    "4",
    "06:00:06",
    "0009300011-26-000002",
    HALORIN,
    (ORSOLYA,),
    _ownership(
        "4",
        HALORIN,
        _owner(ORSOLYA, "Chief Operating Officer"),
        _trade("M", "40000", "18.25", "A", "152300")
        + _trade("S", "26500", "61.84", "D", "125800")
        + _trade("S", "13500", "62.41", "D", "112300")
        + _trade("F", "4120", "61.90", "D", "108180"),
        _option("40000", "18.25", "60000"),
        planned=1,
    ),
)

PURCHASE = _form(
    "4",
    "06:01:45",
    "0009300022-26-000001",
    TINDREL,
    (KESTERLIN, BRANNOCK),
    _ownership(
        "4",
        TINDREL,
        _owner(KESTERLIN, ten=1) + _owner(BRANNOCK, director=1, ten=1),
        _trade("P", "350000", "4.12", "A", "5150000", how="I")
        + _trade("P", "125000", "4.27", "A", "5275000", "2026-02-04", how="I"),
    ),
)

INITIAL = _form(
    "3",
    "06:09:10",
    "0009300044-26-000001",
    NORVALE,
    (SELWYN,),
    _ownership(
        "3",
        NORVALE,
        _owner(SELWYN, director=1),
        "<nonDerivativeHolding><securityTitle><value>Common Stock</value></securityTitle><postTransactionAmounts>"
        "<sharesOwnedFollowingTransaction><value>2500</value></sharesOwnedFollowingTransaction>"
        "</postTransactionAmounts><ownershipNature><directOrIndirectOwnership><value>D</value>"
        "</directOrIndirectOwnership></ownershipNature></nonDerivativeHolding>\n",
    ),
)


def _schedule(kind: str, issuer: Party, holder: Party, amount: str, percent: str, more: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<edgarSubmission xmlns="http://www.sec.gov/edgar/schedule{kind}">\n'
        f"<headerData><submissionType>SCHEDULE {kind.upper()}</submissionType><filerInfo><filer><filerCredentials>"
        f"<cik>{holder.cik}</cik></filerCredentials></filer></filerInfo></headerData>\n<formData>\n<coverPageHeader>"
        "<securitiesClassTitle>Common Stock</securitiesClassTitle><dateOfEvent>01/29/2026</dateOfEvent><issuerInfo>"
        f"<issuerCIK>{issuer.cik}</issuerCIK><issuerCUSIP>000000000</issuerCUSIP><issuerName>{issuer.name}</issuerName>"
        "</issuerInfo></coverPageHeader>\n<reportingPersons><reportingPersonInfo>"
        f"<reportingPersonCIK>{holder.cik}</reportingPersonCIK><reportingPersonName>{holder.name}</reportingPersonName>"
        f"<soleVotingPower>{amount}</soleVotingPower><sharedVotingPower>0</sharedVotingPower>"
        f"<aggregateAmountOwned>{amount}</aggregateAmountOwned><percentOfClass>{percent}</percentOfClass>"
        f"<typeOfReportingPerson>PN</typeOfReportingPerson></reportingPersonInfo></reportingPersons>\n{more}\n"
        "</formData>\n</edgarSubmission>"
    )


def _stake(form: str, at: str, number: str, issuer: Party, holder: Party, body: str) -> Filing:
    document = Document(form, "primary_doc.xml", form, body, "XML")
    return Filing(form, at, number, (("Filed by", holder), ("Subject", issuer)), (document,))


ACTIVIST = _stake(
    "SCHEDULE 13D",
    "06:02:20",
    "0009200011-26-000003",
    PELLWORTH,
    GREYFELL,
    _schedule(
        "13d",
        PELLWORTH,
        GREYFELL,
        "4380000",
        "7.6",
        "<items1To7><item3><fundsSource>Working capital; aggregate purchase price $139,720,000.</fundsSource></item3>"
        "<item4><transactionPurpose>The Reporting Person believes the shares are undervalued and has asked the Board to "
        "explore a sale of the spirits division and to appoint two independent directors.</transactionPurpose></item4>"
        "<item5><percentageOfClassSecurities>7.6% of 57,631,578 shares outstanding.</percentageOfClassSecurities>"
        "</item5></items1To7>",
    ),
)

PASSIVE = _stake(
    "SCHEDULE 13G",
    "06:06:50",
    "0009200022-26-000008",
    NORVALE,
    TALLIS,
    _schedule(
        "13g", NORVALE, TALLIS, "1463018", "5.3", "<items><item1><issuerName>Norvale</issuerName></item1></items>"
    ),
)

FILINGS = (SALE, PURCHASE, INITIAL, ACTIVIST, PASSIVE)
