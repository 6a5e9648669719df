using System.Globalization;

namespace Mesh.Core.Ingresses;

/// <summary>
/// Judges the raw path of a request target before it is matched: dot segments, plain or percent-encoded, bad
/// percent-encoding, NUL and non-ASCII bytes are refused (RFC 3986 §3.3, §6.2.2).
/// </summary>
public static class RequestPath
{
    /// <summary>
    /// Null when the path may be matched and forwarded as it is. A segment such as <c>..%2Fadmin</c> counts as a dot
    /// segment: for matching it is one element, but an application that decodes before it splits would climb.
    /// </summary>
    public static RequestPathProblem? Check(ReadOnlySpan<char> path)
    {
        var (dots, others) = (0, 0);
        for (var i = 0; i < path.Length; i++)
        {
            var c = path[i];
            if (c == '%')
            {
                if (!TryDecode(path[i..], out c))
                {
                    return RequestPathProblem.BadPercentEncoding;
                }

                i += 2;
                if (c == '\0')
                {
                    return RequestPathProblem.ControlOrNonAscii;
                }
            }
            else if (c is <= ' ' or >= '\x7F')
            {
                return RequestPathProblem.ControlOrNonAscii;
            }

            if (c != '/')
            {
                (dots, others) = c == '.' ? (dots + 1, others) : (dots, others + 1);
                continue;
            }

            if (IsDotSegment(dots, others))
            {
                return RequestPathProblem.DotSegment;
            }

            (dots, others) = (0, 0);
        }

        return IsDotSegment(dots, others) ? RequestPathProblem.DotSegment : null;
    }

    /// <summary>The byte that <c>%XX</c> at the start of the text stands for, as a character.</summary>
    internal static bool TryDecode(ReadOnlySpan<char> text, out char value)
    {
        value = default;
        if (text.Length < 3 || text[0] != '%' || !char.IsAsciiHexDigit(text[1]) || !char.IsAsciiHexDigit(text[2]))
        {
            return false;
        }

        value = (char)byte.Parse(text[1..3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        return true;
    }

    private static bool IsDotSegment(int dots, int others) => others == 0 && dots is (1 or 2);
}

/// <summary>Why a path is refused before it is matched.</summary>
public enum RequestPathProblem
{
    DotSegment,
    BadPercentEncoding,
    ControlOrNonAscii,
}
