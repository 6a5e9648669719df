namespace Mesh.Dns.Wire;

/// <summary>RCODEs (RFC 1035 §4.1.1; BADVERS: RFC 6891 §9).</summary>
public enum ResponseCode
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NoSuchName = 3,
    NotImplemented = 4,
    Refused = 5,
    BadVersion = 16,
}
