namespace Mesh.Core;

/// <summary>A value with a version that only grows.</summary>
public interface IVersioned
{
    long Version { get; }
}

/// <summary>
/// The one current value of something that many threads read and one owner replaces: replaced in one step,
/// and only by a greater version. Readers take <see cref="Current"/> once per connection, request or query.
/// </summary>
public sealed class Published<T>(T initial)
    where T : class, IVersioned
{
    private T _current = initial;

    public T Current => Volatile.Read(ref _current);

    /// <summary>False when the current value is as new or newer; then nothing changed.</summary>
    public bool TryPublish(T next)
    {
        for (var seen = Current; next.Version > seen.Version; seen = Current)
        {
            if (ReferenceEquals(Interlocked.CompareExchange(ref _current, next, seen), seen))
            {
                return true;
            }
        }

        return false;
    }
}
