using System.Globalization;
using System.Text;

namespace Mesh.Core.Ingresses;

/// <summary>
/// Walks the elements of a path in the form that is compared: empty elements are skipped (<c>//</c> is <c>/</c>),
/// percent-encoded unreserved characters are decoded, other encodings get upper-case digits (RFC 3986 §6.2.2). So
/// <c>%2F</c> is part of an element and never a separator. What is forwarded is the path as received.
/// </summary>
internal ref struct PathElements(ReadOnlySpan<char> path, Span<char> buffer)
{
    private readonly Span<char> _buffer = buffer;
    private ReadOnlySpan<char> _rest = path;

    public ReadOnlySpan<char> Current { get; private set; }

    /// <summary>Only for a whole path: whether it ends in a slash that stands behind an element.</summary>
    public static bool HasTrailingSlash(ReadOnlySpan<char> path) => path.EndsWith('/') && path.ContainsAnyExcept('/');

    public bool MoveNext()
    {
        _rest = _rest.TrimStart('/');
        if (_rest.IsEmpty)
        {
            return false;
        }

        var end = _rest.IndexOf('/');
        var raw = end < 0 ? _rest : _rest[..end];
        _rest = _rest[raw.Length..];
        Current = raw.Contains('%') ? Canonical(raw) : raw;
        return true;
    }

    /// <summary>The elements of a rule's path; what no request can carry raw is encoded as a request would.</summary>
    public static List<string> OfRule(string path)
    {
        var encoded = new StringBuilder(path.Length);
        foreach (var value in Encoding.UTF8.GetBytes(path))
        {
            if (value is > 0x20 and < 0x7F)
            {
                encoded.Append((char)value);
            }
            else
            {
                encoded.Append('%').Append(value.ToString("X2", CultureInfo.InvariantCulture));
            }
        }

        var text = encoded.ToString();
        var elements = new PathElements(text, new char[text.Length]);
        var list = new List<string>();
        while (elements.MoveNext())
        {
            list.Add(elements.Current.ToString());
        }

        return list;
    }

    private readonly ReadOnlySpan<char> Canonical(ReadOnlySpan<char> raw)
    {
        var length = 0;
        for (var i = 0; i < raw.Length; i++)
        {
            if (!RequestPath.TryDecode(raw[i..], out var value))
            {
                _buffer[length++] = raw[i];
                continue;
            }

            i += 2;
            if (char.IsAsciiLetterOrDigit(value) || value is '-' or '.' or '_' or '~')
            {
                _buffer[length++] = value;
                continue;
            }

            _buffer[length++] = '%';
            _buffer[length++] = char.ToUpperInvariant(raw[i - 1]);
            _buffer[length++] = char.ToUpperInvariant(raw[i]);
        }

        return _buffer[..length];
    }
}
