using System.Diagnostics.CodeAnalysis;

namespace Mesh.Core.Names;

/// <summary>RFC 1123 subdomain: labels joined by dots, at most 253 characters.</summary>
public static class DnsSubdomain
{
    public const int MaxLength = 253;

    public static bool IsValid([NotNullWhen(true)] string? text)
    {
        if (text is null || text.Length is 0 or > MaxLength)
        {
            return false;
        }

        foreach (var label in text.AsSpan().Split('.'))
        {
            if (!DnsLabel.IsValid(text.AsSpan()[label]))
            {
                return false;
            }
        }

        return true;
    }
}
