namespace Mesh.ApiServer.Errors;

/// <summary>One reason why an object was refused, as in <c>details.causes[]</c> of a Status.</summary>
/// <param name="Reason">Such as <c>FieldValueInvalid</c>.</param>
/// <param name="Field">Path of the field, such as <c>spec.ports[0].port</c>.</param>
public sealed record Cause(string Reason, string Field, string Message)
{
    public override string ToString() => Field.Length == 0 ? Message : $"{Field}: {Message}";
}
