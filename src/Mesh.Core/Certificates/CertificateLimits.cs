namespace Mesh.Core.Certificates;

/// <summary>How much of Secrets a gateway takes; what is beyond is told in an Event, and its hosts are answered with the default certificate.</summary>
public static class CertificateLimits
{
    /// <summary>Longest <c>tls.crt</c>. A client takes no longer chain either: OpenSSL ends the handshake above 100 KiB.</summary>
    public const int ChainBytes = 64 * 1024;

    /// <summary>Longest <c>tls.key</c>: an RSA key of the most bits has 6.5 kB.</summary>
    public const int KeyBytes = 8 * 1024;

    /// <summary>Longest RSA key of a host: each handshake signs with it, which costs eight times as much for twice the bits.</summary>
    public const int RsaBits = 8192;

    /// <summary>Certificates of one chain; clients stop following after about as many.</summary>
    public const int ChainLength = 10;

    /// <summary>Secrets that the gateways of one cluster take; the Ingresses that came first have theirs.</summary>
    public const int Secrets = 4096;
}
