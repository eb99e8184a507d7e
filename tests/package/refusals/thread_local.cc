thread_local int of_each_thread = 3;

int main() { return of_each_thread; }
