using System.Security.Cryptography;
using Mesh.Hosting.Files;

namespace Mesh.Node.Listening;

/// <summary>
/// What this machine's gateway calls itself in CDN-Loop: made once by chance and kept in the data directory, so that it is
/// the same after a restart, and another's neither on this machine nor on one of the same name.
/// </summary>
internal static class GatewayIdentity
{
    private const string Prefix = "mesh-";
    private const int Bytes = 8;

    public static string Of(DataDirectory data)
    {
        if (Read(data.GatewayId) is { } known)
        {
            return known;
        }

        var made = Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes));
        try
        {
            AtomicFile.Write(data.GatewayId, System.Text.Encoding.ASCII.GetBytes(made + "\n"));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A full disk: it serves this run as well as any.
        }

        return made;
    }

    private static string? Read(string file)
    {
        try
        {
            var text = File.ReadAllText(file).Trim();
            var isOne = text.Length == Prefix.Length + (2 * Bytes) && text.StartsWith(Prefix, StringComparison.Ordinal)
                && text.Skip(Prefix.Length).All(char.IsAsciiHexDigitLower);
            return isOne ? text : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
