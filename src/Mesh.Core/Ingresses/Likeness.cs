namespace Mesh.Core.Ingresses;

/// <summary>Finds the known name that a mistyped one was probably meant to be.</summary>
internal static class Likeness
{
    /// <summary>A miss must stay cheap whoever provokes it: so many names are compared, and none longer than <see cref="MaxLength"/>.</summary>
    public const int MaxCandidates = 100;

    private const int MaxLength = 128;

    /// <summary>The candidate with the fewest edits, case not counted; null when none has less than a third of its length.</summary>
    public static string? Nearest(ReadOnlySpan<char> text, IEnumerable<string> candidates)
    {
        if (text.Length is 0 or > MaxLength)
        {
            return null;
        }

        string? nearest = null;
        var fewest = Math.Max(2, text.Length / 3) + 1;
        foreach (var candidate in candidates.Take(MaxCandidates))
        {
            if (candidate.Length is 0 or > MaxLength || Math.Abs(candidate.Length - text.Length) >= fewest)
            {
                continue;
            }

            var edits = Edits(text, candidate);
            if (edits < fewest || (edits == fewest && nearest is not null && string.CompareOrdinal(candidate, nearest) < 0))
            {
                (nearest, fewest) = (candidate, edits);
            }
        }

        return nearest;
    }

    /// <summary>Levenshtein distance, one row at a time.</summary>
    private static int Edits(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        Span<int> row = stackalloc int[MaxLength + 1];
        for (var j = 0; j <= right.Length; j++)
        {
            row[j] = j;
        }

        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var replace = diagonal + (char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replace, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
