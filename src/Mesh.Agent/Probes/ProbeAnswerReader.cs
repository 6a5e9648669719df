using System.Globalization;
using System.Text;

namespace Mesh.Agent.Probes;

/// <summary>The head of an answer to an httpGet probe.</summary>
internal sealed record ProbeAnswer(int Status, string? Location, int? Length, bool IsChunked)
{
    /// <summary>Those that the kubelet's client follows (net/http, redirectBehavior).</summary>
    public bool IsRedirect => Status is 301 or 302 or 303 or 307 or 308;
}

/// <summary>Reads as much of an answer as decides a probe.</summary>
internal sealed class ProbeAnswerReader(Stream stream)
{
    private const int MostOfHead = 32 * 1024;
    private const int MostInterim = 5;

    private static ReadOnlySpan<byte> LastChunk => "0\r\n\r\n"u8;

    private byte[] _bytes = new byte[1024];
    private int _filled;
    private ProbeAnswer? _answer;

    /// <summary>Null when what comes is no answer. Interim ones (1xx) are passed over.</summary>
    public async Task<ProbeAnswer?> ReadAsync(CancellationToken stop)
    {
        for (var interim = 0; interim <= MostInterim; interim++)
        {
            if (await ReadHeadAsync(stop) is not { } head)
            {
                return null;
            }

            _answer = Parse(head);
            if (_answer is not { Status: >= 100 and < 200 and not 101 })
            {
                return _answer;
            }
        }

        return null;
    }

    /// <summary>Takes the body, or the beginning of a long one, as far as it comes: the status has decided. True when the server has ended.</summary>
    public async Task<bool> SkipBodyAsync(int most, CancellationToken stop)
    {
        var left = Math.Min(most, _answer?.Length ?? (_answer is { Status: 204 or 304 } ? 0 : most)) - _filled;
        var isWhole = _answer is { IsChunked: true } && _bytes.AsSpan(0, _filled).EndsWith(LastChunk);
        try
        {
            while (left > 0 && !isWhole)
            {
                var read = await stream.ReadAsync(_bytes, stop);
                if (read == 0)
                {
                    return true;
                }

                left -= read;
                isWhole = _answer is { IsChunked: true } && _bytes.AsSpan(0, read).EndsWith(LastChunk);
            }
        }
        catch (Exception cut) when (cut is IOException or OperationCanceledException)
        {
            // Nobody wants to know.
        }

        return false;
    }

    private static ProbeAnswer? Parse(string head)
    {
        var lines = head.Split('\n');
        var status = lines[0].TrimEnd('\r');
        if (!status.StartsWith("HTTP/1.", StringComparison.Ordinal)
            || status.Split(' ', 3) is not [{ Length: 8 }, { Length: 3 } code, ..]
            || !int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        return new ProbeAnswer(
            number,
            Field(lines, "Location"),
            int.TryParse(Field(lines, "Content-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : null,
            Field(lines, "Transfer-Encoding") is not null);
    }

    private static string? Field(string[] lines, string name)
    {
        foreach (var line in lines.AsSpan(1))
        {
            if (line.Length > name.Length && line[name.Length] == ':' && line.StartsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                return line[(name.Length + 1)..].Trim();
            }
        }

        return null;
    }

    /// <summary>Up to the empty line; what follows stays. Null when there is none.</summary>
    private async Task<string?> ReadHeadAsync(CancellationToken stop)
    {
        while (true)
        {
            if (EndOfHead() is var end and > 0)
            {
                var head = Encoding.Latin1.GetString(_bytes, 0, end);
                _filled -= end;
                Buffer.BlockCopy(_bytes, end, _bytes, 0, _filled);
                return head;
            }

            if (_filled == _bytes.Length)
            {
                if (_filled >= MostOfHead)
                {
                    return null;
                }

                Array.Resize(ref _bytes, 2 * _bytes.Length);
            }

            var read = await stream.ReadAsync(_bytes.AsMemory(_filled), stop);
            if (read == 0)
            {
                return null;
            }

            _filled += read;
        }
    }

    private int EndOfHead()
    {
        var filled = _bytes.AsSpan(0, _filled);
        var strict = filled.IndexOf("\r\n\r\n"u8);
        var lenient = filled.IndexOf("\n\n"u8);
        return strict < 0 && lenient < 0 ? 0 : lenient < 0 || (strict >= 0 && strict < lenient) ? strict + 4 : lenient + 2;
    }
}
