namespace Mesh.Grains.Services;

/// <summary>
/// Suggests free numbers, from 0 below a size, by a bitmap. Only a hint: the commit of the row that takes a number decides.
/// For many grains at once.
/// </summary>
/// <param name="band">How many numbers at the start are left to those who ask for one (KEP-3070, KEP-3668).</param>
/// <param name="taken">What others hold; asked at the first look (true), and again when nothing is left but that band.</param>
internal sealed class FreeNumbers(int size, int band, Random random, Func<bool, IEnumerable<int>> taken)
{
    private readonly Lock _lock = new();
    private readonly bool[] _used = new bool[size];
    private bool _isLoaded;

    /// <summary>A free number, or null when all are taken.</summary>
    /// <param name="keep">Taken at once in the bitmap, so that those who run side by side do not try the same one.</param>
    public int? Suggest(bool keep, Func<int, bool>? isOut = null)
    {
        lock (_lock)
        {
            if (!_isLoaded)
            {
                Load();
            }

            var found = Find(band, size, isOut);
            if (found is null)
            {
                Load(); // what was released; only then those that are left to who asks for one
                found = Find(band, size, isOut) ?? Find(0, band, isOut);
            }

            if (keep && found is { } number)
            {
                _used[number] = true;
            }

            return found;
        }
    }

    public void MarkUsed(int number)
    {
        lock (_lock)
        {
            _used[number] = true;
        }
    }

    private int? Find(int from, int to, Func<int, bool>? isOut)
    {
        var count = to - from;
        var start = count > 0 ? random.Next(count) : 0;
        for (var i = 0; i < count; i++)
        {
            var number = from + ((start + i) % count);
            if (!_used[number] && isOut?.Invoke(number) != true)
            {
                return number;
            }
        }

        return null;
    }

    private void Load()
    {
        Array.Clear(_used);
        foreach (var number in taken(!_isLoaded))
        {
            _used[number] = true;
        }

        _isLoaded = true;
    }
}
