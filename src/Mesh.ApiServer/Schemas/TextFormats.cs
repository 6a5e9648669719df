using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Mesh.ApiServer.Schemas;

/// <summary>
/// Strings that have a form of their own, as the Go types read them. What is stored is decoded by every typed client, and one
/// value that Go cannot read fails its whole list. Null: in form; otherwise what Kubernetes says.
/// </summary>
internal static partial class TextFormats
{
    private const string NoQuantity =
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

    private const string NoSuffix = "unable to parse quantity's suffix";

    // An exponent costs its reader a number of so many digits.
    private const int MostExponent = 999;

    private static readonly FrozenSet<string> Suffixes =
        FrozenSet.ToFrozenSet(["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]);

    private static readonly SearchValues<char> Base64 =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    /// <summary>resource.ParseQuantity (apimachinery pkg/api/resource/quantity.go); its JSON form may have space around it.</summary>
    public static string? QuantityProblem(string text)
    {
        var match = Quantity().Match(text.Trim());
        if (!match.Success)
        {
            return NoQuantity;
        }

        var suffix = match.Groups["suffix"].Value;
        return Suffixes.Contains(suffix) || (suffix is ['e' or 'E', _, ..] && IsExponent(suffix.AsSpan(1))) ? null : NoSuffix;
    }

    /// <summary>metav1.Time: RFC 3339, with or without a fraction of a second.</summary>
    public static string? TimeProblem(string text) =>
        IsMoment(Moment().Match(text)) ? null : $"parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse it";

    /// <summary>metav1.MicroTime: six digits of a second, no fewer.</summary>
    public static string? MicroTimeProblem(string text) =>
        Moment().Match(text) is var match && IsMoment(match) && match.Groups["fraction"].Length == 6
            ? null
            : $"parsing time \"{text}\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse it";

    /// <summary>[]byte: base64 with its padding; line breaks are passed over, other space is not.</summary>
    public static string? BytesProblem(string text)
    {
        var plain = text.Replace("\r", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal);
        var odd = plain.AsSpan().IndexOfAny(" \t");
        return odd < 0 && Convert.TryFromBase64String(plain, new byte[(plain.Length * 3 / 4) + 3], out _)
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"illegal base64 data at input byte {(odd < 0 ? FirstIllegal(plain) : odd)}");
    }

    private static bool IsExponent(ReadOnlySpan<char> text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent) && Math.Abs((long)exponent) <= MostExponent;

    private static bool IsMoment(Match match) =>
        match.Success
        && DateTime.TryParseExact(
            match.Groups["whole"].ValueSpan, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private static int FirstIllegal(string text)
    {
        var illegal = text.AsSpan().IndexOfAnyExcept(Base64);
        return illegal < 0 ? text.Length : illegal;
    }

    // Digits may stand on only one side of the point; the suffix is looked at by itself.
    [GeneratedRegex(@"\A[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(?<suffix>[eEinumkKMGTP]*[+-]?[0-9]*)\z", RegexOptions.NonBacktracking)]
    private static partial Regex Quantity();

    [GeneratedRegex(@"\A(?<whole>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})([.,](?<fraction>[0-9]+))?(Z|[+-]([01][0-9]|2[0-4]):[0-5][0-9])\z")]
    private static partial Regex Moment();
}
