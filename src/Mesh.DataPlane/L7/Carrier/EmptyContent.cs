using System.Net;

namespace Mesh.DataPlane.L7.Carrier;

/// <summary>
/// Carries the fields that speak of a content (Content-Type, Expires, Allow …) on a request that has none: HttpClient has
/// no other place for them. It says <c>Content-Length: 0</c> where the request said nothing.
/// </summary>
internal sealed class EmptyContent : HttpContent
{
    private static readonly HttpRequestOptionsKey<EmptyContent> Key = new("Mesh.EmptyContent");

    /// <summary>Kept beside the request until YARP has let it go, as YARP allows no other content than its own.</summary>
    public static EmptyContent Of(HttpRequestMessage request)
    {
        if (Find(request) is { } known)
        {
            return known;
        }

        var content = new EmptyContent();
        request.Options.Set(Key, content);
        return content;
    }

    public static EmptyContent? Find(HttpRequestMessage request) => request.Options.TryGetValue(Key, out var content) ? content : null;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => Task.CompletedTask;

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return true;
    }
}
