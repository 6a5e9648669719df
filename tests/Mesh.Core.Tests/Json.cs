using System.Text;

namespace Mesh.Core.Tests;

/// <summary>Documents as they come from the store.</summary>
internal static class Json
{
    public static ReadOnlyMemory<byte> Utf8(string json) => Encoding.UTF8.GetBytes(json);
}
