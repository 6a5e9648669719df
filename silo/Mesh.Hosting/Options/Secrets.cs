using System.Text.RegularExpressions;

namespace Mesh.Hosting.Options;

/// <summary>Takes passwords out of what is printed: options, files and failures quote URLs of stores.</summary>
public static partial class Secrets
{
    public static string Hide(string text) => InKeyValue().Replace(InUrl().Replace(text, "${scheme}***@"), "${key}***");

    // Up to the last '@' of the line: a password that was not encoded may hold '@', '/', a blank or a quote itself.
    [GeneratedRegex("(?<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^\r\n]*@")]
    private static partial Regex InUrl();

    // Host=…;Password=…, and ?password=… of a URL.
    [GeneratedRegex("""(?<key>\b(?:password|pwd)\s*=(?>\s*))(?!\*\*\*)[^;&\r\n]+""", RegexOptions.IgnoreCase)]
    private static partial Regex InKeyValue();
}
