using System.Diagnostics;
using System.Globalization;

namespace Mesh.DataPlane.L7;

/// <summary>Names each request: by its trace, so that the id in an error leads to the trace, else by a number of its own.</summary>
internal sealed class RequestIds(Random seed)
{
    private readonly ulong _process = (ulong)seed.NextInt64();
    private long _last = seed.Next();

    public string For(Activity? span) => span is not null
        ? span.TraceId.ToHexString()
        : string.Create(CultureInfo.InvariantCulture, $"{_process:x16}{Interlocked.Increment(ref _last):x16}");
}
