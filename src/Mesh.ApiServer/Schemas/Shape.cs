namespace Mesh.ApiServer.Schemas;

/// <summary>What a JSON value of an API type looks like.</summary>
public abstract record Shape
{
    private Shape()
    {
    }

    public sealed record Text : Shape;

    public sealed record Number(bool Is64Bit) : Shape;

    public sealed record Flag : Shape;

    public sealed record Time : Shape;

    /// <summary>A moment with six digits of a second.</summary>
    public sealed record MicroTime : Shape;

    /// <summary>Base64.</summary>
    public sealed record Bytes : Shape;

    public sealed record NumberOrText : Shape;

    /// <summary>resource.Quantity: a number, or a string such as <c>100m</c>.</summary>
    public sealed record Quantity : Shape;

    public sealed record Anything : Shape;

    public sealed record ListOf(Shape Item) : Shape;

    public sealed record MapOf(Shape Value) : Shape;

    public sealed record Structure(ObjectSchema Schema) : Shape;
}
