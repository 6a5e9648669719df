using System.Runtime.CompilerServices;

namespace Mesh.Client;

/// <summary>Lines of a stream, each of a limited length: whatever listens at the node's address must not fill this process.</summary>
internal static class LineReader
{
    public const int MaxLine = 1024 * 1024;

    private const int FirstBuffer = 4096;

    /// <exception cref="InvalidDataException">A line is too long.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken stop, int longest = MaxLine)
    {
        var buffer = new byte[FirstBuffer];
        var held = 0;
        while (await stream.ReadAsync(buffer.AsMemory(held), stop) is > 0 and var read)
        {
            // What was held has no end of line: only what came is looked at.
            var (begin, seen) = (0, held);
            held += read;
            while (buffer.AsSpan(seen, held - seen).IndexOf((byte)'\n') is >= 0 and var at)
            {
                yield return buffer.AsSpan(begin, seen + at - begin).ToArray();
                (begin, seen) = (seen + at + 1, seen + at + 1);
            }

            held -= begin;
            if (held > longest)
            {
                throw new InvalidDataException($"a line of more than {longest} bytes");
            }

            buffer.AsSpan(begin, held).CopyTo(buffer);
            if (held == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }
    }
}
