using System.Diagnostics.CodeAnalysis;

namespace Mesh.ApiServer.Errors;

/// <summary>What was asked for, or why not.</summary>
public readonly struct Outcome<T>
    where T : class
{
    private Outcome(T? value, ApiStatus? refusal)
    {
        Value = value;
        Refusal = refusal;
    }

    public T? Value { get; }

    public ApiStatus? Refusal { get; }

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(ApiStatus refusal) => new(null, refusal);

    public bool IsRefused([NotNullWhen(true)] out ApiStatus? refusal, [NotNullWhen(false)] out T? value)
    {
        refusal = Refusal;
        value = Value;
        return refusal is not null;
    }
}
