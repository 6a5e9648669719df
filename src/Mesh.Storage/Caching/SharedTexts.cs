using System.Text.Json;

namespace Mesh.Storage.Caching;

/// <summary>
/// One string for one text, and one list for one content, where many documents say the same: names of nodes, labels. It
/// remembers a fixed number, and only short ones: what is forgotten is made again, and costs what it did without.
/// </summary>
internal static class SharedTexts
{
    private const int Remembered = 8_192;
    private const int LongestText = 128;
    private const int LongestList = 32;

    private static readonly string?[] Texts = new string?[Remembered];
    private static readonly string[]?[] Lists = new string[]?[Remembered];

    /// <summary>The text of the string or name on which the reader stands; empty when it is legal JSON and no text (a lone surrogate).</summary>
    public static string Read(ref Utf8JsonReader reader)
    {
        if (reader.ValueIsEscaped || reader.ValueSpan.Length > LongestText)
        {
            return ReadLong(ref reader);
        }

        var hash = new HashCode();
        hash.AddBytes(reader.ValueSpan);
        ref var place = ref Texts[(uint)hash.ToHashCode() % Remembered];
        if (Volatile.Read(ref place) is { } known && reader.ValueTextEquals(known))
        {
            return known;
        }

        var text = ReadLong(ref reader);
        Volatile.Write(ref place, text);
        return text;
    }

    /// <summary>An earlier list of the same content, if one is remembered. Nobody changes either.</summary>
    public static string[] Share(string[] list)
    {
        if (list.Length is 0 or > LongestList)
        {
            return list.Length == 0 ? [] : list;
        }

        var hash = new HashCode();
        foreach (var text in list)
        {
            hash.Add(text, StringComparer.Ordinal);
        }

        ref var place = ref Lists[(uint)hash.ToHashCode() % Remembered];
        if (Volatile.Read(ref place) is { } known && known.AsSpan().SequenceEqual(list))
        {
            return known;
        }

        Volatile.Write(ref place, list);
        return list;
    }

    private static string ReadLong(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return "";
        }
    }
}
