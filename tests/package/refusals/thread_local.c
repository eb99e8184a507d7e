_Thread_local int of_each_thread = 3;
