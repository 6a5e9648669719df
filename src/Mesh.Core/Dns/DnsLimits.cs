namespace Mesh.Core.Dns;

/// <summary>How far an answer goes.</summary>
internal static class DnsLimits
{
    /// <summary>More A records than this do not fit the 64 KiB of a message.</summary>
    public const int MaxRecords = 4096;

    /// <summary>An address can be an endpoint of thousands of Services; a reverse lookup names the first few.</summary>
    public const int MaxReverseNames = 16;

    /// <summary>ExternalNames that lead to ExternalNames are followed this far.</summary>
    public const int MaxAliases = 8;
}
