using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Mesh.Client.Names;

/// <summary>
/// IP addresses as Kubernetes accepts them: IPv4 as four decimal numbers without leading zeros, IPv6 without scope. (The
/// platform's parser also takes <c>1</c>, <c>0x7f.1</c> and <c>fe80::1%eth0</c>.)
/// </summary>
internal static class AddressText
{
    public static bool TryParse(string? text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = IPAddress.TryParse(text, out var parsed) && IsStrict(text!, parsed) ? parsed : null;
        return address is not null;
    }

    private static bool IsStrict(string text, IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork ? address.ToString() == text : text.AsSpan().IndexOfAny('%', '[', ']') < 0;
}
