using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Mesh.Core.Names;

/// <summary>
/// IP addresses as Kubernetes accepts them: IPv4 as four decimal numbers without leading zeros, IPv6 without scope.
/// (The platform's parser also takes <c>1</c>, <c>0x7f.1</c> and <c>fe80::1%eth0</c>.)
/// </summary>
public static class AddressText
{
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out IPAddress? address)
    {
        if (text is null || !IPAddress.TryParse(text, out address))
        {
            address = null;
            return false;
        }

        var strict = IsV4(address) ? address.ToString() == text : !text.AsSpan().ContainsAny('%', '[', ']');
        address = strict ? address : null;
        return strict;
    }

    public static bool IsV4(IPAddress address) => address.GetAddressBytes().Length == 4;
}
